import type { ApplicationRef } from '../events/application.ts';

/** What people call the delivery system of an application: Flux puts its kind before the name. */
export function systemName({ name }: Pick<ApplicationRef, 'name'>): 'Argo CD' | 'Flux' {
  return name.includes('/') ? 'Flux' : 'Argo CD';
}
