for pod in $(kubectl get pods -l app=gate -o name); do kubectl exec $pod -- touch /tmp/ready; done
sleep 5
kubectl get endpoints gate
