kubectl get pods -n kube-system -l k8s-app=kube-dns --show-labels
grep -A 2 clusterDNS /var/lib/kubelet/config.yaml
kubectl get cm coredns -n kube-system -o yaml
