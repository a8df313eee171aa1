kubectl get pod box || kubectl run box --image=busybox --restart=Never -- sleep 86400
kubectl wait --for=condition=Ready pod/box --timeout=60s
kubectl exec box -- nslookup db-vip.default.svc.cluster.local
kubectl exec box -- nslookup db.default.svc.cluster.local
