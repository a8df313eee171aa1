number=1
for pod in $(kubectl get pods -l app=nginx -o name | sort); do
  kubectl exec "$pod" -- bash -c "echo web$number > /usr/share/nginx/html/index.html"
  number=$((number + 1))
done
