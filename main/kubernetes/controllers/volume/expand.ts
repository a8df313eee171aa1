// The expand controller: says of claims that want to grow that nothing in the manager can make them (pkg/controller/volume/expand).
import { compareQuantities, resources, type PersistentVolumeClaim, type Stored } from '../../api/index.ts';
import { makeController, type Controller, type ControllerContext } from '../controller.ts';

const MESSAGE =
  "Ignoring the PVC: didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC.";

/** Makes the controller. No volume plugin of this world can grow a volume, as no in-tree one of today's can. */
export function makeExpandController(context: ControllerContext): Controller {
  return makeController(context, {
    name: 'persistentvolume-expander-controller',
    component: 'volume_expand',
    workers: 10,
    setUp(run) {
      const claims = run.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims);
      run.on(claims, {
        add: (claim) => {
          if (wantsMore(claim)) run.enqueue(claim);
        },
        update: (claim, old) => {
          const isNews = claim.metadata.generation !== old.metadata.generation || !wantsMore(old);
          if (isNews && wantsMore(claim)) run.enqueue(claim);
        },
      });
      return async function sync(key) {
        const claim = claims.lister.get(key);
        if (claim === undefined || !wantsMore(claim)) return;
        run.recorder.event(claim, 'Warning', 'ExternalExpanding', MESSAGE);
      };
    },
  });
}

function wantsMore({ spec, status, metadata }: Stored<PersistentVolumeClaim>): boolean {
  const [wanted, has] = [spec?.resources?.requests?.['storage'], status?.capacity?.['storage']];
  if (status?.phase !== 'Bound' || wanted === undefined || has === undefined) return false;
  return metadata.deletionTimestamp === undefined && compareQuantities(wanted, has) > 0;
}
