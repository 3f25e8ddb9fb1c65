const dateFormat = 'YYYY-MM-DD';
const timeFormat = 'HH:mm:ss';
const locale = require('vue2-datepicker/locale/zh-cn');

export default { dateFormat, timeFormat, dateTimeFormat: `${dateFormat} ${timeFormat}`, locale };
