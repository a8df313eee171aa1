kubectl patch svc nodeport-service -p '{"spec":{"externalTrafficPolicy":"Local"}}'
kubectl describe svc nodeport-service
