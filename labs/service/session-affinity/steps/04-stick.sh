kubectl patch svc nginx-svc -p '{"spec":{"sessionAffinity":"ClientIP"}}'
kubectl describe svc nginx-svc
