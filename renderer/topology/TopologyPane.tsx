// The pane of the cluster: which namespaces, as a picture or as tables.
import { useDeferredValue, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';
import { useApp } from '../state/index.ts';
import { ALL_NAMESPACES, filterTopology, namespacesOf, USER_NAMESPACES } from './filter.ts';
import { TopologyPicture } from './TopologyPicture.tsx';
import { TopologyTables } from './TopologyTables.tsx';
import './topology.css';

export function TopologyPane() {
  const { t } = useTranslation();
  const live = useApp((store) => store.topology);
  // A thousand Pods on their way must not hold up typing.
  const topology = useDeferredValue(live);
  const [namespace, setNamespace] = useState(USER_NAMESPACES);
  const [view, setView] = useState<'picture' | 'table'>('picture');
  const shown = useMemo(() => filterTopology(topology, namespace), [topology, namespace]);
  const namespaces = namespacesOf(topology);

  return (
    <section className="topology" aria-label={t('topology.region')} data-testid="topology">
      <header className="topology-bar">
        <div className="segmented" role="group" aria-label={t('topology.view')}>
          {(['picture', 'table'] as const).map((name) => (
            <button
              key={name}
              aria-pressed={view === name}
              data-testid={`topology-${name}`}
              onClick={() => setView(name)}
            >
              <Icon name={name === 'picture' ? 'graph' : 'table'} />
              {t(`topology.${name}`)}
            </button>
          ))}
        </div>
        <select
          aria-label={t('topology.namespace')}
          title={t('topology.namespace')}
          value={namespace}
          data-testid="topology-namespace"
          onChange={(event) => setNamespace(event.target.value)}
        >
          <option value={USER_NAMESPACES}>{t('topology.userNamespaces')}</option>
          <option value={ALL_NAMESPACES}>{t('topology.allNamespaces')}</option>
          {namespaces.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </header>
      {topology.machines.length === 0 ? (
        <p className="topology-empty">{t('topology.empty')}</p>
      ) : view === 'picture' ? (
        <TopologyPicture topology={shown} />
      ) : (
        <TopologyTables topology={shown} />
      )}
    </section>
  );
}
