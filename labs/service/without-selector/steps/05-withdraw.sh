kubectl exec $(kubectl get pods -l app=gate -o name | sort | head -n 1) -- rm -f /tmp/ready
sleep 10
kubectl get endpoints gate
