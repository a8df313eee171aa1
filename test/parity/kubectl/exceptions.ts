// Lines on which the two differ, each with its reason. A line here that has come to agree fails its test.

export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'kubectl create deployment d --image=nginx --replicas=3 --port=80 --dry-run=client -o json':
    "objects that the real one makes itself are printed in the order of their Go types' fields, here by name",
  'kubectl config view --raw --kubeconfig=kc1 -o json':
    "printed in the order of the Go types' fields, here by name",
};
