cat > /root/nodeport.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: whoami
data:
  default.conf: |
    server {
      listen 80;
      location / {
        return 200 "$remote_addr\n";
      }
    }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: whoami
spec:
  replicas: 1
  selector:
    matchLabels:
      app: whoami
  template:
    metadata:
      labels:
        app: whoami
    spec:
      nodeName: worker1
      containers:
        - name: nginx
          image: nginx:1.20
          volumeMounts:
            - name: conf
              mountPath: /etc/nginx/conf.d
      volumes:
        - name: conf
          configMap:
            name: whoami
---
apiVersion: v1
kind: Service
metadata:
  name: nodeport-service
spec:
  type: NodePort
  selector:
    app: whoami
  ports:
    - name: service1
      port: 8080
      targetPort: 80
      nodePort: 30120
YAML
kubectl apply -f /root/nodeport.yaml
kubectl rollout status deployment whoami
