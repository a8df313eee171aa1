kubectl delete pod db-0
kubectl rollout status statefulset db
kubectl get pods -l app=db -o wide
