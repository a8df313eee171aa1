yum -y install bind-utils
dig -t A my-externalname.default.svc.cluster.local. @10.96.0.10
