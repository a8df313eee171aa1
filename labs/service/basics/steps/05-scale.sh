kubectl scale deployment web --replicas=2
kubectl get endpoints svc-web
