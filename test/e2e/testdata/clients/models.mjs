// Asks Anthropic and OpenAI for streams with their libraries, configured by nothing but the environment. The upstream sends the end of a
// stream only after its reader, who has the beginning, asked for the list of models.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const anthropic = new Anthropic({ maxRetries: 0, timeout: 60_000 });
let said = '';
for await (const event of anthropic.messages.stream({ model: 'patient', max_tokens: 8, messages: [{ role: 'user', content: 'ping' }] })) {
  if (event.type !== 'content_block_delta') continue;
  if (said === '') await anthropic.models.list();
  said += event.delta.text;
}
if (said !== 'pong') throw new Error('Anthropic: ' + said);

const openai = new OpenAI({ maxRetries: 0, timeout: 60_000 });
said = '';
for await (const chunk of await openai.chat.completions.create({ model: 'patient', stream: true, messages: [{ role: 'user', content: 'ping' }] })) {
  if (said === '') await openai.models.list();
  said += chunk.choices[0].delta.content;
}
if (said !== 'pong') throw new Error('OpenAI: ' + said);
