cat > /root/gate.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gate
spec:
  replicas: 2
  selector:
    matchLabels:
      app: gate
  template:
    metadata:
      labels:
        app: gate
    spec:
      containers:
        - name: nginx
          image: nginx:1.20
          readinessProbe:
            exec:
              command: [cat, /tmp/ready]
            periodSeconds: 2
---
apiVersion: v1
kind: Service
metadata:
  name: gate
spec:
  selector:
    app: gate
  ports:
    - port: 80
YAML
kubectl apply -f /root/gate.yaml
sleep 5
kubectl get pods -l app=gate
