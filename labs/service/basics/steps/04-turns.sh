address=$(kubectl get svc svc-web -o jsonpath='{.spec.clusterIP}')
for i in 1 2 3 4 5 6 7 8 9; do curl -s $address; done
ipvsadm -Ln
