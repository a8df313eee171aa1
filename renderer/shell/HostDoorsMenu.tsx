// How the host's own tools reach the cluster: addresses and paths to copy.
import { useTranslation } from 'react-i18next';

import { CopyButton, Popover } from '../design/index.ts';
import { useApp } from '../state/index.ts';

export function HostDoorsMenu() {
  const { t } = useTranslation();
  const host = useApp((store) => store.host);
  return (
    <Popover label={t('host.title')} icon="door" testId="host-doors">
      <div className="doors">
        <h2>{t('host.title')}</h2>
        {host === undefined ? (
          <p>{t('host.none')}</p>
        ) : (
          <>
            <p>{t('host.intro')}</p>
            <dl>
              <Door name={t('host.kubeconfig')} note={t('host.kubeconfigHelp')} value={host.kubeconfig} />
              <Door name={t('host.api')} value={host.api} />
              <Door name={t('host.proxy')} value={host.proxy} />
              <Door name={t('host.dns')} value={host.dns} />
            </dl>
          </>
        )}
      </div>
    </Popover>
  );
}

function Door({ name, note, value }: { name: string; note?: string; value: string }) {
  const { t } = useTranslation();
  return (
    <>
      <dt>
        {name} {note !== undefined && <span>{note}</span>}
      </dt>
      <dd>
        <code>{value}</code>
        <CopyButton
          text={value}
          label={t('host.copy', { what: name })}
          doneLabel={t('host.copied')}
          iconOnly
        />
      </dd>
    </>
  );
}
