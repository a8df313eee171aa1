kubectl exec box -- nslookup web.default.svc.cluster.local
kubectl exec box -- wget -qO- http://web:8080
kubectl exec box -- wget -qO- http://web.default:8080
