import { expect, test } from 'vitest';
import { makeCluster } from '../../../../../support/make-cluster.ts';

test('cp brings a folder into a container and back, long names and empty folders included', async () => {
  using lab = await makeCluster({ nodes: 2 });
  const name = 'n'.repeat(120);
  const { stdout, stderr } = await lab.run(`
    kubectl run web --image=nginx >/dev/null
    kubectl wait --for=condition=Ready pod/web --timeout=120s >/dev/null
    mkdir -p tree/empty tree/deep
    echo hello >tree/deep/${name}
    kubectl cp tree web:/tmp/tree
    kubectl exec web -- sh -c 'cd /tmp/tree && find . | sort && cat deep/*'
    kubectl cp web:tmp/tree back 2>&1
    diff -r tree back && echo same`);
  expect(stderr).toBe('');
  expect(stdout).toBe(`.\n./deep\n./deep/${name}\n./empty\nhello\nsame\n`);
  expect(lab.faults).toEqual([]);
});
