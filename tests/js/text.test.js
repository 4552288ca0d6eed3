import { age, ageOn, bytes, clockTime, imagesIn, isoDate, objectsIn, personName, sexWord, short } from "/static/text.js";
import { equal, test } from "./harness.js";

test("a western name reads family, given", () => {
  equal(personName("Doe^Jane^Q"), "Doe, Jane Q");
  equal(personName("DOE^JANE"), "DOE, JANE");
  equal(personName("Plato"), "Plato");
});

test("an ideographic name stands first, the alphabetic one in brackets", () => {
  equal(personName("Yamada^Tarou=山田^太郎=やまだ^たろう"), "山田 太郎 (Yamada, Tarou)");
  equal(personName("=洪^吉洞"), "洪 吉洞");
});

test("a name that is missing or only separators is said to be missing", () => {
  for (const name of ["", null, undefined, "^^^", "^^==^"]) equal(personName(name), "No name");
});

test("dates are ISO, and what is no date stays as it was stored", () => {
  equal(isoDate("20240229"), "2024-02-29");
  equal(isoDate("1999.12.31"), "1999-12-31");
  equal(isoDate("199"), "199");
  equal(isoDate(null), "");
});

test("times keep hours, minutes and seconds", () => {
  equal(clockTime("134502.123000"), "13:45:02");
  equal(clockTime("1345"), "13:45");
  equal(clockTime(""), "");
});

test("ages carry their unit", () => {
  equal(age("045Y"), "45 y");
  equal(age("006M"), "6 mo");
  equal(age("about 5"), "about 5");
});

test("an age is counted in whole years on the day of the study", () => {
  equal(ageOn("19600615", "20240614"), "63 y");
  equal(ageOn("19600615", "20240615"), "64 y");
  equal(ageOn("20230915", "20240614"), "8 mo");
  equal(ageOn("", "20240614"), "");
  equal(ageOn("20250101", "20240614"), "");
});

test("sex is a word or nothing", () => equal([sexWord("M"), sexWord("F"), sexWord("O"), sexWord("")], ["male", "female", "other", ""]));

test("counts agree in number", () => equal([imagesIn(1), imagesIn(0), imagesIn("1217"), objectsIn(1), objectsIn(2)], ["1 image", "0 images", "1217 images", "1 object", "2 objects"]));

test("sizes are decimal", () => equal([bytes(12), bytes(1536), bytes(525000), bytes(2.5e9)], ["12 B", "1.5 kB", "525 kB", "2.5 GB"]));

test("numbers lose needless digits", () => equal([short(1), short("4.8000"), short(0.123456), short("x")], ["1", "4.8", "0.1235", ""]));
