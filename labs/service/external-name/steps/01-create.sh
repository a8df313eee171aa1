cat > /root/externalname.yml <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: my-externalname
  namespace: default
spec:
  type: ExternalName
  externalName: www.baidu.com
YAML
kubectl apply -f /root/externalname.yml
kubectl get svc
