import type { Router } from 'express';
import { createGateSwitches } from '../../runtime/gate-switches.ts';
import type { FaceTools } from './asker.ts';
import { flaggerFace } from './flagger.ts';
import { createGates, type GateTools } from './gates.ts';
import { jsonFaces } from './json-faces.ts';
import { kayentaFace } from './kayenta.ts';
import { prometheusFace } from './prometheus.ts';

/** Every face of the gate for others. */
export function gateRoutes(tools: FaceTools & GateTools): Router[] {
  const gates = createGates(tools);
  const face = {
    authentication: tools.authentication,
    publicUrl: tools.publicUrl,
    now: () => tools.clock.now(),
  };
  return [
    jsonFaces(face, gates),
    kayentaFace(face, gates),
    prometheusFace(face, gates),
    flaggerFace({ ...face, store: tools.store, switches: createGateSwitches(tools) }, gates),
  ];
}
