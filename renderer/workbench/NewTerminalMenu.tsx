// The `+` beside the terminals' tabs: lists the machines, and opens a terminal on the chosen one.
import { useTranslation } from 'react-i18next';

import { Icon, Popover } from '../design/index.ts';
import { roleText } from '../topology/index.ts';
import { useApp } from '../state/index.ts';

export function NewTerminalMenu() {
  const { t } = useTranslation();
  const machines = useApp((state) => state.cluster.machines);
  const openTerminal = useApp((state) => state.openTerminal);
  return (
    <Popover label={t('workbench.openTerminal')} icon="plus" testId="new-terminal" align="start">
      {(close) => (
        <ul className="menu">
          {machines.map((machine) => (
            <li key={machine.name}>
              <button
                className="menu-item"
                aria-label={t('workbench.openTerminalOn', { machine: machine.name })}
                data-testid={`new-terminal-${machine.name}`}
                onClick={() => {
                  close();
                  void openTerminal(machine.name);
                }}
              >
                <Icon name="terminal" />
                <span className="menu-item-text">{machine.name}</span>
                <span className="menu-item-note">
                  {t(roleText(machine.role))} · {machine.address}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
