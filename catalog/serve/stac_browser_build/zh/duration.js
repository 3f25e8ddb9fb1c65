export { zhCN as default } from '@musement/iso-duration';
