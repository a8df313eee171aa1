address=$(kubectl get svc nginx-svc -o jsonpath='{.spec.clusterIP}')
curl -s $address
curl -s $address
