// The object that the tables of cases are about.

export const SAMPLE_POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { labels: { app: 'web', tier: '1', x: 'y' }, name: 'web' },
  spec: {
    containers: [
      { image: 'nginx:1.20', name: 'a', ports: [{ containerPort: 80 }, { containerPort: 8443 }] },
      { image: 'busybox', name: 'b' },
    ],
    terminationGracePeriodSeconds: 1_000_000,
  },
};
