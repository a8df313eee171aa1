cat > /root/db.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: db
spec:
  clusterIP: None
  selector:
    app: db
  ports:
    - name: http
      port: 80
---
apiVersion: v1
kind: Service
metadata:
  name: db-vip
spec:
  selector:
    app: db
  ports:
    - name: http
      port: 80
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  replicas: 2
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
        - name: nginx
          image: nginx:1.20
YAML
kubectl apply -f /root/db.yaml
kubectl rollout status statefulset db
