/** Set up before every test file: see `answers.ts`, which is loaded only when there is an answer to be checked. */
const asked = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const response = await asked(input, init);
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
  // While the description is written anew there is nothing to check against.
  const isOurs = response.headers.get('referrer-policy') !== null;
  if (!isOurs || process.env.LINEHERON_UPDATE_OPENAPI) return response;
  const { checkAnswer } = await import('./answers.js');
  await checkAnswer(method.toUpperCase(), response.url, response);
  return response;
};
