export default require('./texts.json');
