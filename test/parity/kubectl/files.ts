// The files that the compared command lines name.

export const FILES: Readonly<Record<string, string>> = {
  'web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: 80
`,
  'cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels:
    app: shop
data:
  mode: dev
  lines: |
    a=1
    b=2
`,
  'cm2.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels:
    app: shop
data:
  mode: prod
`,
  'bad-field.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: bad
dada:
  a: b
`,
  'bad-kind.yaml': `apiVersion: v1
kind: Confg
metadata:
  name: bad
`,
  'bad-yaml.yaml': `apiVersion: v1
kind: ConfigMap
 metadata: x
`,
  'app.env': `A=1
# comment
B=two words
`,
  'patch.json': `{"data":{"fromfile":"1"}}
`,
};
