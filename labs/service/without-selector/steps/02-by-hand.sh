cat > /root/outside-slice.yaml <<'YAML'
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: outside-1
  labels:
    kubernetes.io/service-name: outside
addressType: IPv4
ports:
  - port: 80
    protocol: TCP
endpoints:
  - addresses:
      - 93.184.215.14
    conditions:
      ready: true
YAML
kubectl apply -f /root/outside-slice.yaml
kubectl get endpointslices
