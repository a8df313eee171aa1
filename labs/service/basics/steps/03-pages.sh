for pod in $(kubectl get pods -l app=web -o name); do kubectl exec $pod -- sh -c 'hostname -i > /usr/share/nginx/html/index.html'; done
