for pod in db-0 db-1; do kubectl exec $pod -- sh -c 'hostname > /usr/share/nginx/html/index.html'; done
kubectl exec box -- wget -qO- http://db-0.db
kubectl exec box -- wget -qO- http://db-1.db
