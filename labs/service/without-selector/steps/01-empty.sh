cat > /root/outside.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: outside
spec:
  ports:
    - port: 80
YAML
kubectl apply -f /root/outside.yaml
kubectl describe svc outside
