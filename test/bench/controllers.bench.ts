// Figures for the control plane in process: from applying a Deployment to all pods bound, and on to all ready.
// Run: node test/bench/controllers.bench.ts [pods] [nodes]
import { resources, type Pod } from '../../main/kubernetes/api/index.ts';
import { Informer } from '../../main/kubernetes/client/index.ts';
import { deployment, makeControlPlane } from '../support/make-control-plane.ts';

const [pods = 1000, nodes = 10] = process.argv.slice(2).map(Number);

for (const startPods of [false, true]) {
  using plane = await makeControlPlane({ nodes: [], startPods });
  for (let i = 0; i < nodes; i++)
    await plane.addNode(`worker${i}`, { cpu: '64', memory: '256Gi', pods: '10000' });
  await plane.settle();
  const { client, clock } = plane.api;
  const informer = new Informer<Pod>({ client, clock, resource: resources.pods });
  let done = 0;
  informer.handle({
    update: (pod, old) => {
      const isDone = (candidate: Pod): boolean =>
        startPods ? candidate.status?.phase === 'Running' : candidate.spec?.nodeName !== undefined;
      if (isDone(pod) && !isDone(old)) done++;
    },
  });
  using _watching = informer.start();
  await plane.settle();

  const virtualMs = clock.now();
  const startMs = performance.now();
  await plane.create(resources.deployments, deployment('web', pods));
  const reached = await clock.advanceUntil(() => done >= pods, { minutes: 60 });
  const elapsedMs = performance.now() - startMs;
  const what = startPods ? 'Running' : 'bound';
  console.log(
    `${pods} pods on ${nodes} nodes ${reached ? what : `NOT all ${what}`}: ${Math.round(elapsedMs)} ms, ` +
      `${Math.round((pods / elapsedMs) * 1000)} pods/s, ${Math.round(clock.now() - virtualMs)} ms virtual`,
  );
  await plane.settle();
  if (plane.errors.length > 0) console.log(`${plane.errors.length} errors, the first: ${plane.errors[0]}`);
}
