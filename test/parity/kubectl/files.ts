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
  'k/base/dep.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: nginx:1.19
        envFrom: [{configMapRef: {name: cfg}}]
        env: [{name: A, value: "1"}, {name: S, valueFrom: {secretKeyRef: {name: sec, key: p}}}]
      volumes: [{name: v, configMap: {name: plain}}]
`,
  'k/base/kustomization.yaml': `resources:
- dep.yaml
- svc.yaml
configMapGenerator:
- name: cfg
  literals:
  - a=1
  - b=two
- name: plain
  options:
    disableNameSuffixHash: true
  files:
  - x.txt
secretGenerator:
- name: sec
  literals: [p=q]
`,
  'k/base/svc.yaml': `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: default, namespace: x}, {kind: ServiceAccount, name: bot, namespace: x}]
`,
  'k/base/x.txt': `hello
`,
  'k/over/ns.yaml': `apiVersion: v1
kind: Namespace
metadata: {name: foo}
`,
  'k/over/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base, ns.yaml]
namePrefix: dev-
nameSuffix: -v1
namespace: shop
commonLabels: {env: dev}
labels:
- pairs: {team: x}
commonAnnotations: {note: hi}
images:
- name: nginx
  newTag: "1.25"
replicas:
- name: web
  count: 3
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - name: c
            env: [{name: B, value: "2"}]
          - name: side
            image: busybox
- target: {kind: Service}
  patch: |-
    - op: replace
      path: /spec/ports/0/port
      value: 8080
patchesStrategicMerge:
- |-
  apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {type: NodePort}
`,
  'k/e/kustomization.yaml': ``,
  'k/bad/kustomization.yaml': `foo: bar: baz
`,
  'k/unknown/kustomization.yaml': `resorces: [nope.yaml]
`,
  'k/missing/kustomization.yaml': `resources: [nope.yaml]
`,
  'k/patch/kustomization.yaml': `resources: [../base]
patches: [{path: p.yaml}]
`,
  'k/patch/p.yaml': `apiVersion: v1
kind: Pod
metadata: {name: z}
`,
  'rbac.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: readers
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}
`,
  'rbac2.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
rules:
- apiGroups: [""]
  resources: [services]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: readers
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: User, name: joe, apiGroup: rbac.authorization.k8s.io}
`,
  'rbac3.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: readers
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
`,
};
