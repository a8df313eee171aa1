import { expect, test } from 'vitest';
import { makeCluster } from '../../../../../support/make-cluster.ts';

test("port-forward carries a pod's page to the machine, and tells of what the pod refuses", async () => {
  using lab = await makeCluster({ nodes: 2 });
  const { stdout } = await lab.run(`
    kubectl create deployment web --image=nginx >/dev/null
    kubectl wait --for=condition=Available deploy/web --timeout=120s >/dev/null
    kubectl port-forward deploy/web 8080:80 --address 127.0.0.1 >good.txt 2>&1 &
    sleep 2
    curl -s http://127.0.0.1:8080/ | grep title
    kill -INT $!; wait $!; echo "ended with $?"
    cat good.txt
    kubectl port-forward deploy/web 8081:81 --address 127.0.0.1 >bad.txt 2>&1 &
    sleep 2
    curl -s http://127.0.0.1:8081/
    wait $!; echo "ended with $?"
    sed 's/.*err="//; s/pod [0-9a-f]*, uid.*//' bad.txt`);
  expect(stdout).toBe(`<title>Welcome to nginx!</title>
ended with 0
Forwarding from 127.0.0.1:8080 -> 80
Handling connection for 8080
ended with 1
Forwarding from 127.0.0.1:8081 -> 81
Handling connection for 8081
an error occurred forwarding 8081 -> 81: error forwarding port 81 to 
error: lost connection to pod
`);
  expect(lab.faults).toEqual([]);
});
