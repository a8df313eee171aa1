// Stories of older releases, told by a kubectl from between them and today.
import { playScenarios } from './play.ts';

for (const profile of ['legacy', 'flannel-119', 'calico-docker', 'current'])
  playScenarios(`versions/${profile}`, { profile, speed: 20, concurrent: false, version: '1.27' });
