/** The part of the configuration that says what to read. One shape per source type. */
import { anomalyProbability, deviceIdSchema } from '@lineheron/models';
import { z } from 'zod';

export const FAULT_TYPES = ['latency_spike', 'packet_loss', 'error_storm', 'traffic_anomaly'] as const;

const strength = z.number().gt(0).max(10).default(1);

const faultSchema = z.strictObject({
  device_id: deviceIdSchema,
  type: z.enum(FAULT_TYPES),
  /** Seconds after the first live record; back-filled time does not count. */
  start_s: z.number().min(0),
  duration_s: z.number().gt(0).max(86_400),
  strength,
});

const deviceNamesSchema = z
  .array(deviceIdSchema)
  .min(1)
  .max(10_000)
  .refine((names) => new Set(names).size === names.length, 'names must differ');

const generateSchema = z.strictObject({
  type: z.literal('generate'),
  /** Names, or how many; when absent 4, with `independent` 10. */
  devices: z.union([z.int().min(1).max(10_000), deviceNamesSchema]).optional(),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  /** `independent`: one record per interval over all devices together, each anomalous by itself. */
  anomalies: z.enum(['episodes', 'independent', 'none']).default('episodes'),
  anomaly_probability: anomalyProbability,
  strength,
  /** When given, these happen and no random ones. */
  faults: z.array(faultSchema).max(1000).optional(),
  interval_seconds: z.number().min(0.01).max(3600).default(1),
  /** Event time written at once at the first start, while no forest is trained yet. */
  backfill_minutes: z
    .number()
    .min(0)
    .max(7 * 24 * 60)
    .default(0),
  /** False: writes the back-fill and ends. */
  realtime: z.boolean().default(true),
});

const hostSchema = z.strictObject({
  type: z.literal('host'),
  /** This machine's name when absent. */
  device_id: deviceIdSchema.optional(),
  interval_seconds: z.number().min(0.1).max(3600).default(1),
  /** Round trip by TCP connect to here; to the broker (MQTT ping) when absent. */
  target: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'must be host:port')
    .refine((target) => Number(/\d+$/.exec(target)?.[0]) <= 65_535, 'the port must be at most 65535')
    .optional(),
  /** Only these; all but `lo` when absent. */
  interfaces: z.array(z.string().min(1).max(64)).min(1).max(64).optional(),
  proc_root: z.string().min(1).default('/proc'),
});

const tailSchema = z.strictObject({
  type: z.literal('tail'),
  paths: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .refine((paths) => new Set(paths).size === paths.length, 'paths must differ'),
  /** Where to begin in a file seen for the first time; afterwards the kept position counts. */
  from: z.enum(['start', 'end']).default('end'),
});

export const sourceSchema = z
  .discriminatedUnion('type', [generateSchema, hostSchema, tailSchema])
  .superRefine((source, context) => {
    if (source.type !== 'generate' || source.faults === undefined) return;
    const names = new Set(deviceNames(source));
    source.faults.forEach((fault, index) => {
      if (names.has(fault.device_id)) return;
      context.addIssue({
        code: 'custom',
        path: ['faults', index, 'device_id'],
        message: 'is no device of this source',
      });
    });
  });

export type SourceConfig = z.infer<typeof sourceSchema>;
export type GenerateConfig = z.infer<typeof generateSchema>;
export type HostConfig = z.infer<typeof hostSchema>;
export type TailConfig = z.infer<typeof tailSchema>;

const DEFAULT_DEVICES: Readonly<Record<GenerateConfig['anomalies'], number>> = {
  episodes: 4,
  independent: 10,
  none: 4,
};

/** The names meant by `devices`. */
export function deviceNames(config: Pick<GenerateConfig, 'devices' | 'anomalies'>): string[] {
  const devices = config.devices ?? DEFAULT_DEVICES[config.anomalies];
  if (typeof devices !== 'number') return devices;
  const digits = Math.max(2, String(devices).length);
  return Array.from({ length: devices }, (_, index) => `line-${String(index + 1).padStart(digits, '0')}`);
}
