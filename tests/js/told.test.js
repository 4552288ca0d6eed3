import { tellerOf } from "/static/i18n.js";
import { equal, test } from "./harness.js";

const GERMAN = {
  "fusion: {1}": "Fusion: {1}",
  "a series in colour cannot be laid over another": "eine farbige Serie kann nicht über eine andere gelegt werden",
  "This image cannot be decoded: {1}.": "Dieses Bild kann nicht decodiert werden: {1}.",
  "This image cannot be decoded: it took longer than {1} seconds.": "Dieses Bild kann nicht decodiert werden: es dauerte länger als {1} Sekunden.",
  "the JPEG picture is damaged ({1})": "das JPEG-Bild ist beschädigt ({1})",
  "{1} of {2} {3} cannot be": "{3} {2} von {1} kann nicht sein",
  "no prior": "keine Voruntersuchung",
  "{1} by description": "{1} laut Beschreibung",
  chest: "Thorax",
  "described as {1}": "beschrieben als {1}",
  '"{1}" or {2}': "„{1}“ oder {2}",
  '"{1}" ...': "„{1}“ ...",
  '"{1}"': "„{1}“",
};
const tell = tellerOf(GERMAN);

test("a sentence without places is told as it stands", () => equal(tell("no prior"), "keine Voruntersuchung"));

test("what stands in a place is told too", () => {
  equal(tell("fusion: a series in colour cannot be laid over another"), "Fusion: eine farbige Serie kann nicht über eine andere gelegt werden");
  equal(tell("This image cannot be decoded: the JPEG picture is damaged (bad marker 0xc4)."), "Dieses Bild kann nicht decodiert werden: das JPEG-Bild ist beschädigt (bad marker 0xc4).");
});

test("of two that fit the one with more words of its own is meant", () =>
  equal(tell("This image cannot be decoded: it took longer than 20 seconds."), "Dieses Bild kann nicht decodiert werden: es dauerte länger als 20 Sekunden."));

test("places may come in another order", () => equal(tell("Patient's Weight (0010,1030) of 0 kg cannot be"), "kg 0 von Patient's Weight (0010,1030) kann nicht sein"));

test("reasons in a row are told one by one", () => equal(tell("CT, chest by description, no prior"), "CT, Thorax laut Beschreibung, keine Voruntersuchung"));

test("a choice of patterns is told with the word between them", () => {
  equal(tell('CT, described as "ax* t2" or "lung*" or "hrct" ...'), "CT, beschrieben als „ax* t2“ oder „lung*“ oder „hrct“ ...");
  equal(tell('described as "lung*"'), "beschrieben als „lung*“");
});

test("what is not known, and what is no text, stays what it is", () => {
  equal(tell("$& {1} (a+b)*"), "$& {1} (a+b)*");
  equal([tell(""), tell(undefined), tell(null)], ["", undefined, null]);
});

test("without a catalogue every sentence is the server's", () => equal(tellerOf({})("no prior"), "no prior"));
