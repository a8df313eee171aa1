import { expect, test } from 'vitest';
import { inClusterConfig } from '../../../../main/kubernetes/client/kubeconfig.ts';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

test("a pod's token is read anew, as its kubelet renews it", () => {
  const files = new Map([[TOKEN, 'first\n']]);
  const config = inClusterConfig({
    env: new Map([
      ['KUBERNETES_SERVICE_HOST', '10.96.0.1'],
      ['KUBERNETES_SERVICE_PORT', '443'],
    ]),
    fs: { exists: (path: string) => files.has(path), readText: (path: string) => files.get(path)! },
  } as never);
  expect(config?.token).toBe('first');
  files.set(TOKEN, 'second\n');
  expect(config?.readToken?.()).toBe('second');
});
