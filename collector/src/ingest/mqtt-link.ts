/**
 * The collector's one MQTT connection: subscribes to what agents say and publishes to them. Messages to agents are
 * not queued while it is down: agents resend what was not acknowledged and read desired state when it is back.
 */
import { COLLECTOR_KINDS, fromAllAgents } from '@lineheron/models';
import mqtt, { type MqttClient } from 'mqtt';

export interface MqttLinkOptions {
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  onMessage: (topic: string, payload: Buffer) => void;
  /** After every (re)connection, once subscribed. */
  onConnect: () => void;
  onDisconnect: () => void;
  onError: (error: Error) => void;
  onProblem: (message: string) => void;
}

const RECONNECT_MS = 1000;

export class MqttLink {
  /** Messages that could not be sent because the connection was down. */
  unsent = 0;
  private client: MqttClient | null = null;
  private subscribed = false;
  private address = '';

  constructor(private readonly options: MqttLinkOptions) {}

  get connected(): boolean {
    return this.client?.connected === true && this.subscribed;
  }

  get clientId(): string {
    return this.options.clientId;
  }

  /** Where it connects to; empty before the start. */
  get url(): string {
    return this.address;
  }

  /** `secret` is what the embedded broker knows its owner by; another broker takes the configured login. */
  start(url: string, secret?: string): void {
    const { clientId, onMessage, onError, onDisconnect } = this.options;
    const username = secret === undefined ? this.options.username : clientId;
    const password = secret ?? this.options.password;
    this.address = url;
    const client = mqtt.connect(url, {
      protocolVersion: 4,
      clientId,
      clean: true,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: 5000,
      queueQoSZero: false,
      resubscribe: false,
    });
    this.client = client;
    client.on('message', (topic, payload) => onMessage(topic, payload));
    client.on('error', onError);
    client.on('connect', () => this.subscribe(client));
    client.on('close', () => {
      if (this.subscribed) onDisconnect();
      this.subscribed = false;
    });
  }

  /** At QoS 1; dropped and counted while there is no connection. */
  publish(topic: string, payload: unknown, retain = false): void {
    if (!this.client?.connected) {
      this.lose();
      return;
    }
    this.client.publish(topic, JSON.stringify(payload), { qos: 1, retain }, (error) => {
      if (error) this.lose();
    });
  }

  /** Sends what is under way, for a short while, and disconnects. */
  async stop(): Promise<void> {
    const client = this.client;
    if (!client) return;
    this.client = null;
    this.subscribed = false;
    const timer = setTimeout(() => client.end(true), 500);
    await new Promise<void>((resolve) => client.end(false, {}, () => resolve()));
    clearTimeout(timer);
  }

  private lose(): void {
    // Once it has been stopped that is no news.
    if (this.unsent++ > 0 || !this.client) return;
    this.options.onProblem('a message to agents found no connection to the broker; more are only counted');
  }

  private subscribe(client: MqttClient): void {
    client.subscribe(COLLECTOR_KINDS.map(fromAllAgents), { qos: 1 }, (error) => {
      if (error) return this.options.onError(error);
      this.subscribed = true;
      // What others desire of single agents: good to know, and a broker may refuse it.
      client.subscribe(fromAllAgents('desired'), { qos: 1 }, () => {});
      return this.options.onConnect();
    });
  }
}
