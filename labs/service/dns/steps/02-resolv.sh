kubectl get deployment web || kubectl create deployment web --image=nginx:1.20 --replicas=2
kubectl get svc web || kubectl expose deployment web --port=8080 --target-port=80
kubectl get pod box || kubectl run box --image=busybox --restart=Never -- sleep 86400
kubectl wait --for=condition=Ready pod/box --timeout=60s
kubectl exec box -- cat /etc/resolv.conf
