// The status of ValidatingAdmissionPolicies: which generation has been type-checked (pkg/controller/validatingadmissionpolicystatus).
//
// Differs: expressions aren't checked against the schemas of what they match; no warnings are found.
import { resources, type KubernetesObject } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';

interface Policy extends KubernetesObject {
  readonly status?: { readonly observedGeneration?: number };
}

/** Makes the controller that says which policies it has looked at. */
export function makeAdmissionPolicyStatusController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'validatingadmissionpolicy-status-controller',
    component: 'validatingadmissionpolicy-status',
    workers: 5,
    setUp(run) {
      const policies = run.informer<Policy>(resources.validatingadmissionpolicies);
      run.on(policies, { add: run.enqueue, update: run.enqueue });
      return async function sync(name) {
        const policy = policies.lister.get(name);
        const generation = policy?.metadata.generation;
        if (policy === undefined || policy.status?.observedGeneration === generation) return;
        await run.client.patch<Policy>(
          resources.validatingadmissionpolicies,
          name,
          'application/merge-patch+json',
          { status: { observedGeneration: generation, typeChecking: {} } },
          { subresource: 'status' },
        );
      };
    },
  });
}
