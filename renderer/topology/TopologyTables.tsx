// The same facts as the picture's, as tables: for keyboards, screen readers and copying.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Topology } from '../../preload/contract.ts';
import { keyOf } from './topology-layout.ts';
import { machineStateText, podTone, roleText } from './words.ts';

export function TopologyTables({ topology }: { topology: Topology }) {
  const { t } = useTranslation();
  const none = t('topology.none');
  const machines = topology.machines.map((machine) => ({
    key: machine.name,
    cells: [machine.name, machine.address, t(roleText(machine.role)), t(machineStateText(machine))],
  }));
  const pods = topology.pods.map((pod) => ({
    key: keyOf(pod),
    cells: [
      pod.name,
      pod.namespace,
      <span className="cell-state" key="state">
        <span className={`dot dot-${podTone(pod)}`} />
        {pod.status}
      </span>,
      t(pod.ready ? 'topology.ready' : 'topology.notReady'),
      pod.restarts,
      pod.address ?? none,
      pod.node ?? none,
    ],
  }));
  const services = topology.services.map((service) => ({
    key: keyOf(service),
    cells: [
      service.name,
      service.namespace,
      service.type,
      service.clusterIP ?? none,
      service.externalAddresses.join(', ') || none,
      service.ports.join(', '),
      service.sessionAffinity,
      service.endpoints
        .map(({ address, ready }) => (ready ? address : `${address} (${t('topology.notReady')})`))
        .join(', ') || none,
    ],
  }));
  return (
    <div className="topology-tables" tabIndex={0}>
      <Table
        caption={t('topology.machines')}
        heads={[t('topology.name'), t('topology.address'), t('topology.role'), t('topology.state')]}
        rows={machines}
      />
      <Table
        caption={t('topology.pods')}
        heads={[
          t('topology.name'),
          t('topology.namespace'),
          t('topology.state'),
          t('topology.ready'),
          t('topology.restarts'),
          t('topology.address'),
          t('topology.node'),
        ]}
        rows={pods}
      />
      <Table
        caption={t('topology.services')}
        heads={[
          t('topology.name'),
          t('topology.namespace'),
          t('topology.type'),
          t('topology.clusterIP'),
          t('topology.external'),
          t('topology.ports'),
          t('topology.affinity'),
          t('topology.endpoints'),
        ]}
        rows={services}
      />
    </div>
  );
}

function Table(props: {
  caption: string;
  heads: readonly string[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
}) {
  return (
    <table className="facts">
      <caption>{props.caption}</caption>
      <thead>
        <tr>
          {props.heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map(({ key, cells: [name, ...others] }) => (
          <tr key={key}>
            <th scope="row">{name}</th>
            {others.map((cell, index) => (
              // The columns never move.
              <td key={props.heads[index + 1]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
