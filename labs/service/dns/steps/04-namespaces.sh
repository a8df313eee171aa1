kubectl get namespace shop || kubectl create namespace shop
kubectl get deployment cart -n shop || kubectl create deployment cart --image=nginx:1.20 --replicas=2 -n shop
kubectl get svc cart -n shop || kubectl expose deployment cart --port=80 -n shop
kubectl rollout status deployment cart -n shop
kubectl exec box -- wget -qO- http://cart.shop
