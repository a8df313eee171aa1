kubectl patch svc my-externalname -p '{"spec":{"externalName":"example.com"}}'
dig +short my-externalname.default.svc.cluster.local. @10.96.0.10
