kubectl get pod box || kubectl run box --image=busybox --restart=Never -- sleep 86400
kubectl wait --for=condition=Ready pod/box --timeout=60s
kubectl exec box -- nslookup my-externalname.default.svc.cluster.local.
