import { readFileSync } from 'node:fs';
import { mergePatch } from '../../examples/sandbox/kubernetes/objects.ts';
import type { JsonObject } from '../../src/base/json.ts';

export interface Step {
  /** `Kustomization/auto`: what has changed. */
  of: string;
  object: JsonObject;
  /** All objects of the story as they were by then. */
  world: ReadonlyMap<string, JsonObject>;
}

interface Story {
  what: string;
  steps: { of: string; change: JsonObject }[];
}

const FILE = new URL('../fixtures/flux/statuses.json', import.meta.url);
const { stories } = JSON.parse(readFileSync(FILE, 'utf8')) as { stories: Story[] };

/** What the controllers of Flux wrote, change by change, as a watch told it. */
export function recordedStories(): { what: string; steps: Step[] }[] {
  return stories.map(({ what, steps }) => {
    const world = new Map<string, JsonObject>();
    return {
      what,
      steps: steps.map(({ of, change }) => {
        const object = mergePatch(world.get(of), change) as JsonObject;
        world.set(of, object);
        return { of, object, world: new Map(world) };
      }),
    };
  });
}

/** `Kustomization: Healthy=True/Succeeded Ready=True/ReconciliationSucceeded`, however the conditions are sorted. */
export function sayConditions(object: JsonObject): string {
  const { conditions = [] } = (object['status'] ?? {}) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  const said = conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).sort();
  return `${String(object['kind'])}: ${said.join(' ')}`;
}
