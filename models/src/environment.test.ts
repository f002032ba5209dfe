import { expect, it } from 'vitest';
import { environmentName, hasSettings, strayVariables } from './environment.js';

const known = [['mqtt', 'url'], ['mqtt', 'password'], ['data_dir']].map(environmentName);

it('names the variable of a key', () => {
  expect(known).toEqual(['LINEHERON_MQTT_URL', 'LINEHERON_MQTT_PASSWORD', 'LINEHERON_DATA_DIR']);
});

it('tells each variable that is no setting, with the nearest one, and no value', () => {
  const environment = {
    PATH: '/bin',
    LINEHERON_MQTT_URL: 'mqtt://broker:1883',
    LINEHERON_MQTT_PASWORD: 'hunter2',
    LINEHERON_DATADIR: 'x',
    LINEHERON_mqtt_url: 'x',
    LINEHERON_MOONPHASE: 'full',
    LINEHERON_: '',
  };
  expect(hasSettings(environment)).toBe(true);
  expect(strayVariables(environment, known)).toEqual([
    'LINEHERON_: unknown environment variable',
    'LINEHERON_DATADIR: unknown environment variable (did you mean "LINEHERON_DATA_DIR"?)',
    'LINEHERON_MOONPHASE: unknown environment variable',
    'LINEHERON_MQTT_PASWORD: unknown environment variable (did you mean "LINEHERON_MQTT_PASSWORD"?)',
    'LINEHERON_mqtt_url: unknown environment variable (did you mean "LINEHERON_MQTT_URL"?)',
  ]);
});

it('has nothing to tell of an environment that is not ours', () => {
  expect(hasSettings({ PATH: '/bin', HERON: 'grey' })).toBe(false);
  expect(strayVariables({ PATH: '/bin', HERON: 'grey' }, known)).toEqual([]);
});
