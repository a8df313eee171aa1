netstat -tunlp | grep 30120
ipvsadm -Ln -t 192.168.10.10:30120
