kubectl get deployment web || kubectl create deployment web --image=nginx:1.20 --replicas=3
kubectl scale deployment web --replicas=3
kubectl rollout status deployment web
