kubectl get svc svc-web || kubectl expose deployment web --name=svc-web --type=ClusterIP --port=80 --target-port=80
kubectl describe svc svc-web
kubectl get endpoints svc-web
